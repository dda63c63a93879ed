// Says each date of a form in words beside its field, with the weekday, so that nobody mistakes a day for a month.
const inWords = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
});

function words(text) {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim());
  if (!found) return text.trim() ? "Write it as year-month-day, such as 2027-06-19." : "";
  const day = new Date(Date.UTC(+found[1], +found[2] - 1, +found[3]));
  const same = day.getUTCMonth() === +found[2] - 1 && day.getUTCDate() === +found[3];
  return same ? inWords.format(day) : "There is no such day.";
}

function follow(field) {
  const said = document.createElement("output");
  said.className = "date-in-words";
  field.insertAdjacentElement("afterend", said);
  let shown = null;
  const show = () => {
    if (field.value !== shown) said.textContent = words((shown = field.value));
  };
  show();
  for (const name of ["input", "change", "focus", "blur"]) field.addEventListener(name, show);
  setInterval(show, 500); // the calendar sets the value without an event
}

addEventListener("DOMContentLoaded", () => {
  const known = new WeakSet();
  const all = () => {
    for (const field of document.querySelectorAll("input.vDateField")) {
      if (!known.has(field)) {
        known.add(field);
        follow(field);
      }
    }
  };
  all();
  document.addEventListener("formset:added", all);
});

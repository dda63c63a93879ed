// Prints what AsyncAPI's own parser finds wrong in a document, as JSON. node parse_asyncapi.mjs <packages> <document>
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , packages, path] = process.argv;
const { Parser } = createRequire(`${packages}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"));
const found = diagnostics.map(({ code, message, severity, path: where }) => ({ code, message, severity, where }));
console.log(JSON.stringify({ channels: document?.channels().all().map((each) => each.id()) ?? [], found }));

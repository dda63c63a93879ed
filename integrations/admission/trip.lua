return trip(tonumber(ARGV[14]))

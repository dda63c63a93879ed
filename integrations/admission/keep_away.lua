keep_away(tonumber(ARGV[14]))
return 1

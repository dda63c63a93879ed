begin_pause(tonumber(ARGV[14]))
return 1

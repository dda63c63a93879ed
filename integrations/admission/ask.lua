return ask(ARGV[14] == '1', ARGV[15])

return reserve(ARGV[14] == '1')

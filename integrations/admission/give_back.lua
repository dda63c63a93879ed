return give_back(ARGV[14], ARGV[15] == '1', ARGV[16] == '1', ARGV[17] == '1')

local change = report(ARGV[14], ARGV[15], ARGV[16], ARGV[17] == '1', ARGV[18] == '1', ARGV[19], ARGV[20] == '1',
  tonumber(ARGV[21]))
local answer = ask(ARGV[22] == '1', ARGV[23])
return {change, unpack(answer)}

/** Every printable character of ASCII. */
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));

/** Passwords that a text without quotes or escapes would break. */
const hostilePasswords: readonly string[] = [
  printable.join(""),
  printable.toReversed().join(""),
  ...printable.map((character) => `${character}x`),
  ...printable.map((character) => `x${character}`),
  ...printable.map((character) => `Ab1${character}%41${character}${character}`),
  "';user=evil;pwd=x;driver=y",
  '";password=evil;"',
  "}};PWD={evil",
  "{a}",
  "{",
  "}",
  "''",
  '""',
  String.raw`\'`,
  "&password=evil",
  "@evil.example.com/?password=x",
  "%zz",
  "${x}",
  "é😀ß",
];

const hostileAccounts: readonly string[] = [
  "app",
  "orders.app",
  "app@server",
  "o'brien",
  'q"uote',
  "semi;colon",
  "br{a}ce",
  "ünï",
  "per%41cent",
  "two words",
  "a=b",
  "a:b/c?d#e&f+g",
];

/** Each hostile password with a plain account, and each hostile account with both. */
export const hostileLogins = [
  ...hostilePasswords.map((password) => ({ username: "app", password })),
  ...hostileAccounts.map((username) => ({ username, password: "p4ssword" })),
  ...hostileAccounts.map((username, index) => ({
    username,
    password: hostilePasswords[index] ?? "",
  })),
];

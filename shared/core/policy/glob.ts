/** Whether a text matches a pattern. `*` matches any characters, `?` matches one, and others match themselves. */
export function matchesGlob(pattern: string, text: string): boolean {
  let [inPattern, inText] = [0, 0];
  let [star, starText] = [-1, 0];
  // This is not a regular expression, because a pattern with many stars must not take exponential time.
  while (inText < text.length) {
    const expected = pattern[inPattern];
    if (expected === "*") {
      [star, starText] = [inPattern++, inText];
    } else if (expected === "?" || expected === text[inText]) {
      inPattern++;
      inText++;
    } else if (star >= 0) {
      inPattern = star + 1;
      inText = ++starText;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(inPattern));
}

export function matchesAnyGlob(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text));
}

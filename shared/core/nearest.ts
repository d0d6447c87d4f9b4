import leven, { closestMatch } from "leven";

/** The time of a comparison grows with the length of both words, and each candidate is compared. */
const maxWordLength = 100;
const maxCandidates = 500;

/** The candidate that the author of `word` probably meant; undefined when no candidate is similar. */
export function findNearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > maxWordLength || candidates.length > maxCandidates) return undefined;
  const plural = word.replace(/y$/, "ie") + "s";
  if (candidates.includes(plural)) return plural;
  const longer = candidates.find((one) => one.toLowerCase().endsWith(word.toLowerCase()));
  if (longer !== undefined && word.length >= 4) return longer;
  return closestMatch(word, [...candidates], { maxDistance: tolerance(word) });
}

/** Like `findNearest`, for a pattern with `*` and `?`: the candidate whose beginning is most similar to the letters of the pattern. */
export function findNearestToPattern(
  pattern: string,
  candidates: readonly string[],
): string | undefined {
  const spelt = pattern.replaceAll(/[*?]/g, "");
  if (spelt === pattern) return findNearest(pattern, candidates);
  if (spelt.length > maxWordLength || candidates.length > maxCandidates) return undefined;
  const near = candidates
    .map((text) => ({ text, distance: leven(spelt, text.slice(0, spelt.length)) }))
    .filter(({ distance }) => distance <= tolerance(spelt))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.text;
}

/** How many letters may be wrong, missing or extra. */
const tolerance = (word: string): number =>
  word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));

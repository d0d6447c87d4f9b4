import leven, { closestMatch } from "leven";

/** Comparing takes time that grows with both words, and is done for each candidate. */
const maxWordLength = 100;
const maxCandidates = 500;

/** What somebody probably meant who wrote `word`; undefined when nothing is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > maxWordLength || candidates.length > maxCandidates) return undefined;
  const plural = word.replace(/y$/, "ie") + "s";
  if (candidates.includes(plural)) return plural;
  const longer = candidates.find((one) => one.toLowerCase().endsWith(word.toLowerCase()));
  if (longer !== undefined && word.length >= 4) return longer;
  return closestMatch(word, [...candidates], { maxDistance: tolerance(word) });
}

/** The same for a pattern with `*` and `?`: the text whose beginning is nearest to what the pattern spells out. */
export function nearestTo(pattern: string, candidates: readonly string[]): string | undefined {
  const spelt = pattern.replaceAll(/[*?]/g, "");
  if (spelt === pattern) return nearest(pattern, candidates);
  if (spelt.length > maxWordLength || candidates.length > maxCandidates) return undefined;
  const near = candidates
    .map((text) => ({ text, distance: leven(spelt, text.slice(0, spelt.length)) }))
    .filter(({ distance }) => distance <= tolerance(spelt))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.text;
}

/** How many letters may be wrong, missing or too many. */
const tolerance = (word: string): number =>
  word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));

import { plainWords } from "./plain-words.js";

/** markdownlint rule: pages avoid the wording of the list, except in code and in quoted output. */
export default {
  names: ["plain-words"],
  description: "Wording that makes people read twice",
  tags: ["prose"],
  parser: "none",
  function: ({ lines }, onError) => {
    let isCode = false;
    lines.forEach((line, index) => {
      if (/^\s*(```|~~~)/.test(line)) isCode = !isCode;
      if (isCode) return;
      const prose = line.replaceAll(/`[^`]*`|"[^"]*"/g, "``");
      for (const { pattern, instead } of plainWords) {
        const found = pattern.exec(prose);
        if (found) onError({ lineNumber: index + 1, detail: `"${found[0]}": write ${instead}` });
      }
    });
  },
};

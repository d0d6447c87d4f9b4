import { plainWords } from "./plain-words.js";

/** ESLint rule: comments, strings and templates avoid the wording of the list. */
export const proseInCode = {
  meta: { type: "suggestion", schema: [], messages: { wording: '"{{found}}": write {{instead}}' } },
  create(context) {
    const check = (node, text) => {
      for (const { pattern, instead } of plainWords) {
        const found = pattern.exec(text);
        if (found)
          context.report({ node, messageId: "wording", data: { found: found[0], instead } });
      }
    };
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments())
          check(comment, unwrap(comment.value));
      },
      Literal(node) {
        if (typeof node.value === "string") check(node, node.value);
      },
      TemplateElement(node) {
        check(node, node.value.cooked ?? "");
      },
    };
  },
};

/** A phrase may be broken between lines. */
const unwrap = (comment) => comment.replaceAll(/\n\s*\*?\s*/g, " ");

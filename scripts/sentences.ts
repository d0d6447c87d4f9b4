/**
 * Prints every sentence that the product can say, with its place, so that an editor can review the list.
 *
 *     node scripts/run.mjs scripts/sentences.ts                   everything
 *     node scripts/run.mjs scripts/sentences.ts shared/config     files below these paths only
 *
 * A sentence is a string or a template of the sources that contains a space and a word in lower case. Parts that are joined
 * by `+` are one sentence. `${…}` stands for each value that is inserted.
 */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import ts from "typescript";

interface Sentence {
  readonly line: number;
  readonly text: string;
}

const root = resolve(import.meta.dirname, "..");
const sources = ["shared", "functions", "cli", "local/start"].map((folder) => `${folder}/**/*.ts`);

for (const file of listSources(process.argv.slice(2))) {
  const source = ts.createSourceFile(
    file,
    await readFile(join(root, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  for (const { line, text } of findSentences(source)) console.log(`${file}:${line}  ${text}`);
}

function listSources(given: readonly string[]): string[] {
  const all = globSync([...sources, "local/start.ts"], { cwd: root }).sort();
  const paths = given.map((path) => path.replace(/\/$/, ""));
  if (paths.length === 0) return all;
  return all.filter((file) => paths.some((path) => file === path || file.startsWith(`${path}/`)));
}

function findSentences(source: ts.SourceFile): Sentence[] {
  const found: Sentence[] = [];
  const visit = (node: ts.Node): void => {
    const text = readText(node);
    if (text === undefined) {
      ts.forEachChild(node, visit);
      return;
    }
    if (isSentence(text)) found.push({ line: lineAt(source, node), text: onOneLine(text) });
    // An inserted expression may hold sentences of its own.
    listExpressions(node).forEach(visit);
  };
  visit(source);
  return found;
}

/** The text of a literal, of a template, or of several that are joined by `+`. Undefined for anything else. */
function readText(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return "";
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return (
      node.head.text + node.templateSpans.map(({ literal }) => `\${…}${literal.text}`).join("")
    );
  }
  if (!isSum(node)) return undefined;
  const left = readText(node.left);
  const right = readText(node.right);
  if (left === undefined && right === undefined) return undefined;
  return (left ?? "${…}") + (right ?? "${…}");
}

/** What a text inserts: those parts of it that are no literal. */
function listExpressions(node: ts.Node): ts.Node[] {
  if (ts.isTemplateExpression(node)) return node.templateSpans.map(({ expression }) => expression);
  if (!isSum(node)) return [];
  return [node.left, node.right].flatMap((part) =>
    readText(part) === undefined ? [part] : listExpressions(part),
  );
}

function isSum(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
}

function isSentence(text: string): boolean {
  return text.includes(" ") && /(?<![\w-])[a-z]{2,}(?![\w-])/.test(text);
}

function lineAt(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

function onOneLine(text: string): string {
  return text.replaceAll("\n", "\\n");
}

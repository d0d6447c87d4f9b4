import { isKnownError } from "../../core/errors.ts";
import { describeNode, type Node } from "./redis-options.ts";

type Answer = "accepted" | "rejected" | Error;

/**
 * Tries a log-in at every server: accepted if all accept it, rejected if one refuses it. Throws if a server does not answer and none
 * refuses. `note` receives a sentence about servers that differ.
 */
export async function verifyAll(
  nodes: readonly Node[],
  logIn: (node: Node) => Promise<"accepted" | "rejected">,
  note?: (sentence: string) => void,
): Promise<"accepted" | "rejected"> {
  const answers: { readonly node: Node; readonly answer: Answer }[] = [];
  for (const node of nodes) {
    const answer = await logIn(node).catch((error: unknown) => {
      if (isKnownError(error) && error.kind === "target-unavailable") return error;
      throw error;
    });
    answers.push({ node, answer });
  }
  const isRejected = answers.some(({ answer }) => answer === "rejected");
  if (isRejected && answers.some(({ answer }) => answer !== "rejected")) {
    const list = answers.map(({ node, answer }) => `${describeNode(node)} ${describe(answer)}`);
    note?.(`The servers differ about the same secret: ${list.join("; ")}.`);
  }
  if (isRejected) return "rejected";
  for (const { answer } of answers) if (answer instanceof Error) throw answer;
  return "accepted";
}

const describe = (answer: Answer): string =>
  answer instanceof Error ? `gave no answer (${answer.message})` : `${answer} it`;

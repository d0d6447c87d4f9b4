import type { ApiAnswer } from "../api/endpoints.ts";
import { online, withExamples } from "../command.ts";
import { type Field, formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeExplain = () =>
  withExamples(
    online("explain", "explain the state of a target, what happens next, and what you can do")
      .argument("<target>", "id of the target")
      .action(async (target, options) => {
        const found = await connect(options).call("api-explanation", { params: { target } });
        answer(options, found, (one) => formatExplanation(one, Date.now()));
      }),
    ["keyturn explain orders-db", "start here when a target needs attention"],
  );

type Action = ApiAnswer<"api-explanation">["actions"][number];

const reason = '"the reason, for the history"';

/** The command of this program for an action. The API names a request to itself. */
const commands: Partial<Record<Action["kind"], (target: string, action: Action) => string>> = {
  "request-rotation": (target) => `keyturn rotate ${target}`,
  "lift-freeze": (target) => `keyturn rotate ${target} --lift-freeze ${reason}`,
  "cancel-rotation": (target, { rotation = "" }) => `keyturn cancel ${target} ${rotation}`,
  "end-pause": (target) => `keyturn resume ${target}`,
  "override-pause": (target) => `keyturn rotate ${target} --force ${reason}`,
};

function formatExplanation(found: ApiAnswer<"api-explanation">, now: number): string {
  const fields: Field[] = [
    ["Target", found.target],
    ["State", found.state],
    ["Summary", found.summary],
    ...found.because.map((why): Field => ["Because", why]),
  ];
  for (const { what, at, why } of found.next) {
    fields.push(["Next", [longTime(at, now), what].filter(Boolean).join(": ")], ["  because", why]);
  }
  for (const action of found.actions) {
    const command = commands[action.kind]?.(found.target, action) ?? action.command;
    fields.push(["You can", action.do], ["  because", action.why], ["  run", command]);
  }
  return formatRecord(fields);
}

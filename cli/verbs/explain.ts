import type { ApiAnswer } from "../api/endpoints.ts";
import { online, withExamples } from "../command.ts";
import type { ConnectionOptions } from "../connection/connection.ts";
import { type Options, toCommandText } from "../output/command-text.ts";
import { type Field, formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect } from "../session.ts";

export const makeExplain = () =>
  withExamples(
    online("explain", "explain the state of a target, what happens next, and what you can do")
      .argument("<target>", "id of the target")
      .action(async (target, options) => {
        const found = await connect(options).call("api-explanation", { params: { target } });
        answer(options, found, (one) => formatExplanation(one, options, Date.now()));
      }),
    ["keyturn explain orders-db", "start here when a target needs attention"],
  );

type Action = ApiAnswer<"api-explanation">["actions"][number];

const reason = "the reason, for the history";

/** The words and options of this program for an action. The API names a request to itself. */
const commands: Partial<Record<Action["kind"], readonly [verb: string, options?: Options]>> = {
  "request-rotation": ["rotate"],
  "lift-freeze": ["rotate", { "lift-freeze": reason }],
  "cancel-rotation": ["cancel"],
  "end-pause": ["resume"],
  "override-pause": ["rotate", { force: reason }],
  unblock: ["unblock", { version: "the id of the version" }],
  undo: ["undo"],
  "dry-run": ["dry-run"],
};

function toCommand(
  { kind, rotation, command }: Action,
  target: string,
  app: ConnectionOptions,
): string | undefined {
  const found = commands[kind];
  if (!found) return command;
  const [verb, options] = found;
  return toCommandText([verb, target, ...(rotation === undefined ? [] : [rotation])], app, options);
}

function formatExplanation(
  found: ApiAnswer<"api-explanation">,
  app: ConnectionOptions,
  now: number,
): string {
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
    const command = toCommand(action, found.target, app);
    fields.push(["You can", action.do], ["  because", action.why], ["  run", command]);
  }
  return formatRecord(fields);
}

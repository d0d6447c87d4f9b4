import { formatBreach } from "../breach/breach-record.ts";
import { requireSense, runBreach } from "../breach/run-breach.ts";
import { keyOf, toDuration, withExamples, writing } from "../command.ts";
import { answer, connect } from "../session.ts";

const id = "01JQ0000000000000000000000";
const meaning = "id of the breach, from keyturn breaches";

export const makeConfirmBreach = () =>
  withExamples(
    writing("confirm-breach", "start a breach after its preview")
      .argument("<breach>", meaning)
      .option("--force", "rotate targets that are paused, too")
      .option("--lift-freezes", "rotate targets in any freeze, too")
      .option("--detach", "do not wait for the end")
      .option("--timeout <time>", "how long to wait for the end", toDuration)
      .action(async (breach, options) => {
        requireSense(options);
        await runBreach(breach, options);
      }),
    [`keyturn confirm-breach ${id}`, "start it and wait for the end"],
    [`keyturn confirm-breach ${id} --force --detach`, "also paused targets; return at once"],
  );

export const makePauseBreach = () =>
  makeChange("pause-breach", "api-breach-pause", "begin no other rotation until it is resumed");

export const makeResumeBreach = () =>
  makeChange("resume-breach", "api-breach-resume", "go on with a paused breach");

export const makeCancelBreach = () =>
  makeChange("cancel-breach", "api-breach-cancel", "begin no other rotation; what has begun ends");

function makeChange(
  name: string,
  route: "api-breach-pause" | "api-breach-resume" | "api-breach-cancel",
  summary: string,
) {
  return withExamples(
    writing(name, summary)
      .argument("<breach>", meaning)
      .action(async (breach, options) => {
        const { reason, ticket } = options;
        const request = {
          params: { breach },
          body: { reason, ticket },
          idempotencyKey: keyOf(options),
        };
        const changed = await connect(options).call(route, request);
        answer(options, changed, (one) => formatBreach(one, Date.now()));
      }),
    [`keyturn ${name} ${id}`, summary],
  );
}

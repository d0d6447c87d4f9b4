import { online, withExamples } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { colourState } from "../output/colour.ts";
import { answer, connect } from "../session.ts";

const down = 503;

export const makeHealth = () =>
  withExamples(
    online("health", "show whether the app is up").action(async (options) => {
      const health = await connect(options).call("api-health", {}, [down]);
      answer(options, health, ({ status }) => colourState(status));
      if (health.status === "down") process.exitCode = exitCodes.failed;
    }),
    ["keyturn health", "prints up or down; down exits with 1"],
  );

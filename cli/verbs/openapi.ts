import { online, withExamples } from "../command.ts";
import { printJson } from "../output/print.ts";
import { connect } from "../session.ts";

export const makeOpenapi = () =>
  withExamples(
    online("openapi", "print the OpenAPI document of the app").action(async (options) => {
      printJson(await connect(options).call("api-openapi", {}));
    }),
    ["keyturn openapi", "the document of the local app, for code generators"],
  );

import { writeSchema } from "../../shared/app.ts";
import { offline, withExamples } from "../command.ts";
import { printText } from "../output/print.ts";

export const makeSchema = () =>
  withExamples(
    offline("schema", "print the JSON Schema of configurations, with rotators of your own")
      .option(
        "--config <file>",
        "file or folder of a configuration whose modules the schema describes",
      )
      .action(async ({ config }) => {
        printText(await writeSchema(config, process.cwd()));
      }),
    ["keyturn schema --config keyturn.yaml > keyturn.own.schema.json", "for editors"],
  );

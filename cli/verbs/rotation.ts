import type { Client } from "../api/client.ts";
import { online, toDuration, withExamples } from "../command.ts";
import { exitCodes, Failure } from "../exit-codes.ts";
import { answer, connect } from "../session.ts";
import { followAndAnswer, requireFollow } from "./requesting.ts";
import { formatRotation } from "./rotation-record.ts";

export const makeRotation = () =>
  withExamples(
    online("rotation", "show one rotation of a target")
      .argument("<target>", "id of the target")
      .argument("[rotation]", "id of the rotation (default: the newest)")
      .option("--follow", "wait for the end of the rotation, and exit by its outcome")
      .option("--timeout <time>", "with --follow: how long to wait", toDuration)
      .action(async (target, written, options) => {
        requireFollow(options);
        const client = connect(options);
        const rotation = written ?? (await findNewest(client, target));
        if (options.follow) return followAndAnswer(options, { target, rotation });
        const found = await client.call("api-rotation", { params: { target, rotation } });
        answer(options, found, (one) => formatRotation(one, Date.now()));
      }),
    ["keyturn rotation orders-db", "the newest rotation, with its phases"],
    ["keyturn rotation orders-db --follow --timeout 10m", "wait for its end, ten minutes at most"],
  );

async function findNewest(client: Client, target: string): Promise<string> {
  const query = { limit: "1", cursor: undefined };
  const { rotations } = await client.call("api-rotations", { params: { target }, query });
  const [newest] = rotations;
  if (newest) return newest.rotationId;
  throw new Failure(
    `Target ${target} has no rotation yet. Request one: keyturn rotate ${target}`,
    exitCodes.notFound,
  );
}

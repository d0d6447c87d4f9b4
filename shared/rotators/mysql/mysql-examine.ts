import type { Examination, Examine } from "../rotator.ts";
import { countConnections, readFindings } from "./mysql-findings.ts";
import { judgeGap, judgeObstacles, judgeRight } from "./mysql-judgement.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import { readRules } from "./mysql-rules.ts";
import { type CallContext, requireWritable } from "./mysql-session.ts";
import { compareTwins } from "./mysql-twins.ts";

/** Queries the session of the authority. */
export async function examineIn(
  { session, server, where }: CallContext,
  call: Examine<MysqlOptions>,
): Promise<Examination> {
  requireWritable(server, where);
  const findings = await readFindings(session, server, call);
  const right = judgeRight(findings);
  const gap = judgeGap(findings);
  const rules = readRules(server.variables);
  const warnings = await compareTwins(session, server, call, findings.found);
  const common = {
    right,
    ...(gap !== undefined && { gap }),
    ...(rules && { rules }),
    ...(warnings.length > 0 && { warnings }),
  };
  // An account that examines itself has just logged in.
  if (call.isProven || call.using.as === "self") return { obstacles: [], ...common };
  const connections = await countConnections(session, call.account);
  return { obstacles: judgeObstacles(findings, connections), ...common };
}

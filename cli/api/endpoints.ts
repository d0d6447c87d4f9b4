/** The types of requests and answers, from the schemas that the app parses and answers with. Nothing of them is loaded. */
import type { z } from "zod";
import type { routes } from "../../functions/http/routes.ts";
import type { getAuditHead, listAudit } from "../../functions/schemas/audit.ts";
import type {
  cancelBreach,
  confirmBreach,
  getBreach,
  listBreaches,
  listBreachTargets,
  pauseBreach,
  previewBreach,
  resumeBreach,
} from "../../functions/schemas/breaches.ts";
import type { dryRun } from "../../functions/schemas/dry-runs.ts";
import type { explainTarget } from "../../functions/schemas/explanations.ts";
import type { createFreeze, endFreeze, listFreezes } from "../../functions/schemas/freezes.ts";
import type { importSecret } from "../../functions/schemas/imports.ts";
import type { pauseTargets, resumeTargets } from "../../functions/schemas/pauses.ts";
import type { getPlan } from "../../functions/schemas/plans.ts";
import type { reportExposure, reportUse } from "../../functions/schemas/reports.ts";
import type {
  cancelRotation,
  getRotation,
  listRotations,
  requestRotation,
} from "../../functions/schemas/rotations.ts";
import type { getDocument, getHealth, listAlarms } from "../../functions/schemas/service.ts";
import type { getTarget, listTargets } from "../../functions/schemas/targets.ts";
import type { unblock, undo } from "../../functions/schemas/undos.ts";
import type { verify } from "../../functions/schemas/verify.ts";

/** The endpoints that commands use, by the name of their route. */
interface Endpoints {
  "api-verify": typeof verify;
  "api-import": typeof importSecret;
  "api-undo": typeof undo;
  "api-unblock": typeof unblock;
  "api-pauses": typeof pauseTargets;
  "api-resumes": typeof resumeTargets;
  "api-freeze": typeof createFreeze;
  "api-freezes": typeof listFreezes;
  "api-freeze-end": typeof endFreeze;
  "api-breach-preview": typeof previewBreach;
  "api-breaches": typeof listBreaches;
  "api-breach": typeof getBreach;
  "api-breach-targets": typeof listBreachTargets;
  "api-breach-confirm": typeof confirmBreach;
  "api-breach-pause": typeof pauseBreach;
  "api-breach-resume": typeof resumeBreach;
  "api-breach-cancel": typeof cancelBreach;
  "api-explanation": typeof explainTarget;
  "api-dry-run": typeof dryRun;
  "api-plan": typeof getPlan;
  "api-targets": typeof listTargets;
  "api-target": typeof getTarget;
  "api-rotate": typeof requestRotation;
  "api-rotation-cancel": typeof cancelRotation;
  "api-rotations": typeof listRotations;
  "api-rotation": typeof getRotation;
  "api-exposures": typeof reportExposure;
  "api-uses": typeof reportUse;
  "api-audit": typeof listAudit;
  "api-audit-head": typeof getAuditHead;
  "api-alarms": typeof listAlarms;
  "api-health": typeof getHealth;
  "api-openapi": typeof getDocument;
}

export type EndpointName = keyof Endpoints & keyof typeof routes;

/** Fields that are absent may be sent as undefined: they are left out. */
type Optional<Fields> = { readonly [Name in keyof Fields]: Fields[Name] | undefined };
type Sent<Schema> = Schema extends z.ZodType ? Optional<z.input<Schema>> : undefined;

type ParamsOf<Endpoint> = Endpoint extends { params: infer Schema }
  ? { readonly params: Sent<Schema> }
  : { readonly params?: undefined };
type QueryOf<Endpoint> = Endpoint extends { query: infer Schema }
  ? { readonly query?: Sent<Schema> }
  : { readonly query?: undefined };
type BodyOf<Endpoint> = Endpoint extends { body: { json: infer Schema } }
  ? { readonly body: Sent<Schema> }
  : { readonly body?: undefined };

/** What a request to the endpoint has. */
export type ApiRequest<Name extends EndpointName> = ParamsOf<Endpoints[Name]> &
  QueryOf<Endpoints[Name]> &
  BodyOf<Endpoints[Name]> & {
    readonly idempotencyKey?: string;
    /** A request that does the same when the app gets it twice. */
    readonly isRepeatable?: true;
  };

type AnswersOf<Name extends EndpointName> = Endpoints[Name]["answers"];

/** The JSON of the endpoint's answers. */
export type ApiAnswer<Name extends EndpointName> = {
  [Status in keyof AnswersOf<Name>]: AnswersOf<Name>[Status] extends {
    content: { "application/json": infer Schema extends z.ZodType };
  }
    ? z.output<Schema>
    : never;
}[keyof AnswersOf<Name>];

export type Rotation = ApiAnswer<"api-rotation">;
export type RotationEntry = ApiAnswer<"api-rotations">["rotations"][number];
export type TargetEntry = ApiAnswer<"api-targets">["targets"][number];
export type Freeze = ApiAnswer<"api-freezes">["freezes"][number];
export type AuditEntry = ApiAnswer<"api-audit">["entries"][number];
export type Breach = ApiAnswer<"api-breach">;
export type BreachEntry = ApiAnswer<"api-breaches">["breaches"][number];
export type BreachTarget = ApiAnswer<"api-breach-targets">["targets"][number];
export type Alarm = ApiAnswer<"api-alarms">["alarms"][number];

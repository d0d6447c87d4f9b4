import type { HttpRequest } from "@azure/functions";
import type { z } from "zod";
import type { Operations, Origin, RequestKey } from "../../shared/app.ts";
import type { ProblemKind } from "./problem-kinds.ts";
import type { RouteName } from "./routes.ts";

/** One possible answer. `content` has a schema for each content type. */
export interface AnswerDefinition {
  readonly description: string;
  readonly content: Readonly<Record<string, z.ZodType>>;
  readonly headers?: z.ZodObject;
}

/** A body: one JSON object, or a text of one of the content types in `types`. */
export type BodyDefinition =
  | { readonly json: z.ZodObject; readonly maxBytes?: number }
  | {
      readonly text: z.ZodType<string>;
      readonly types: readonly string[];
      readonly maxBytes: number;
    };

/** The parts of the API, in the order of the document. */
export const groups = {
  Targets: "What Keyturn rotates, and the state of each.",
  Rotations: "Requests for rotations, and the history.",
  "Exposures and uses": "Reports that somebody saw or used a secret.",
  "Pauses and freezes": "Targets that people leave alone until a moment.",
  Breaches: "Rotations of many targets at once, because somebody may have their secrets.",
  Plans: "Rotations to come, and what an edit of the configuration changes.",
  Ledger: "Who did what, when and why, in a chain that shows every change.",
  "Alarms and health": "What a person or a load balancer should know.",
  "OpenAPI document": "This API, described for programs.",
} as const;

/** What a route accepts and answers: the single definition for parsing, types and the OpenAPI document. */
export interface EndpointDefinition {
  readonly route: RouteName;
  /** The part of the API that the route belongs to. */
  readonly group: keyof typeof groups;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: BodyDefinition;
  /** Fields of the body that contain a secret. Nothing that depends on them is stored with an idempotency key. */
  readonly secretFields?: readonly string[];
  readonly answers: Readonly<Record<number, AnswerDefinition>>;
  /** The problems that are special to the route; `serve` adds those that every route may answer with. */
  readonly problems: readonly ProblemKind[];
}

/** Keeps the exact types of the definition. */
export function endpoint<const Definition extends EndpointDefinition>(
  definition: Definition,
): Definition {
  return definition;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : Record<string, never>;
type ParsedBody<Body> = Body extends { json: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : Body extends { text: z.ZodType }
    ? string
    : undefined;

/** A parsed request. */
export interface Call<Definition extends EndpointDefinition> {
  readonly params: Parsed<Definition["params"]>;
  readonly query: Parsed<Definition["query"]>;
  readonly headers: Parsed<Definition["headers"]>;
  readonly body: ParsedBody<Definition["body"]>;
  /** Who sent the request, with the reason and the ticket in its body. */
  readonly origin: Origin;
  /** The idempotency key. Undefined without one, and for routes that take none. */
  readonly key: RequestKey | undefined;
  readonly operations: Operations;
  readonly request: HttpRequest;
  /** Aborts when nobody reads the answer any more. */
  readonly clientLeft: AbortSignal;
}

type JsonAnswer<Answers> = {
  [Status in keyof Answers & number]: Answers[Status] extends {
    content: { "application/json": infer Schema extends z.ZodType };
  }
    ? {
        readonly status: Status;
        readonly json: z.input<Schema>;
        readonly headers?: Readonly<Record<string, string>>;
      }
    : never;
}[keyof Answers & number];

interface TextAnswer<Answers> {
  readonly status: keyof Answers & number;
  readonly text: string;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes that are sent as they come. */
interface StreamAnswer<Answers> {
  readonly status: keyof Answers & number;
  readonly stream: ReadableStream<Uint8Array>;
  readonly type: string;
}

/** JSON that follows the schema, a text of the content type `type`, or a stream. */
export type Answer<Definition extends EndpointDefinition> =
  | JsonAnswer<Definition["answers"]>
  | TextAnswer<Definition["answers"]>
  | StreamAnswer<Definition["answers"]>;

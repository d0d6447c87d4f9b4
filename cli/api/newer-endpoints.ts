import type { z } from "zod";

/** An endpoint with types instead of schemas. */
interface Written<Status extends number, Params, Body, Answer> {
  readonly params: z.ZodType<Params, Params>;
  readonly body: { readonly json: z.ZodType<Body, Body> };
  readonly answers: Readonly<
    Record<Status, { readonly content: { readonly "application/json": z.ZodType<Answer> } }>
  >;
}

interface TargetParams {
  readonly target: string;
}

type Empty = Readonly<Record<string, never>>;

interface Pause {
  readonly reason: string;
  readonly until: string;
}

interface FreezeBody {
  readonly reason: string;
  readonly until: string;
  readonly from?: string | undefined;
  readonly lift?: readonly ("exposure" | "breach")[] | undefined;
  readonly everything?: true | undefined;
  readonly targets?: readonly string[] | undefined;
  readonly policy?: string | undefined;
  readonly type?: string | undefined;
  readonly vault?: string | undefined;
  readonly owner?: string | undefined;
  readonly tag?: string | undefined;
}

interface Verified {
  readonly target: string;
  readonly result: "accepted" | "rejected" | "unreachable" | "unreadable" | "not-tried";
  readonly why: string;
  readonly checkedAt: string;
  readonly account?: string;
  readonly version?: string;
  readonly until?: string;
}

interface Explanation {
  readonly target: string;
  readonly state: string;
  readonly summary: string;
  readonly because: readonly string[];
  readonly next: readonly { readonly what: string; readonly at?: string; readonly why: string }[];
  readonly actions: readonly {
    readonly do: string;
    readonly why: string;
    readonly command?: string;
  }[];
}

interface Freeze extends Pause {
  readonly id: string;
  readonly state: string;
  readonly from: string;
  readonly lift: readonly string[];
  readonly matches: number;
}

/** Endpoints whose schemas are not among functions/schemas yet; see `routes.ts`. */
export interface NewerEndpoints {
  "api-verify": Written<200, TargetParams, Empty, Verified>;
  "api-pause": Written<
    200,
    TargetParams,
    Pause,
    { readonly target: string; readonly pause: Pause; readonly why: string }
  >;
  "api-resume": Written<
    200,
    TargetParams,
    Empty,
    { readonly target: string; readonly resumed: boolean; readonly why: string }
  >;
  "api-freeze": Written<201, Empty, FreezeBody, Freeze>;
  "api-explanation": Omit<Written<200, TargetParams, Empty, Explanation>, "body">;
  "api-dry-run": Written<200, TargetParams, Empty, Readonly<Record<string, unknown>>>;
}

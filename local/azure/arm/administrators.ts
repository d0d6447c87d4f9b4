import { accept } from "./accept.ts";
import { type ArmAnswer, armErrors, passwordRefusal, Refused } from "./errors.ts";
import type { ArmCall, ArmResource, ArmRoute, ArmService } from "./state.ts";

/** A service whose servers have an administrator. */
export interface AdminRow extends Omit<ArmService, "routes"> {
  /** The field of the password below `properties`. */
  readonly passwordAt: readonly string[];
  /** The field of the name, if a change of the password must contain it. */
  readonly nameAt?: readonly string[];
  readonly minPassword: number;
  /** The properties of a server. */
  readonly describe: (server: ArmResource) => object;
  /** The resource below a server that says whether it accepts passwords. */
  readonly entraSwitch?: {
    readonly path: string;
    readonly apiVersion?: string;
    readonly describe: (server: ArmResource) => object;
  };
}

export function adminService(row: AdminRow): ArmService {
  const { type, entraSwitch } = row;
  const read: ArmRoute = {
    method: "GET",
    path: "",
    effect: "get",
    action: `${type}/read`,
    run: ({ id, resource }) => ({ status: 200, body: toBody(id, type, row.describe(resource)) }),
  };
  const change: ArmRoute = {
    method: "PATCH",
    path: "",
    effect: "patch",
    action: `${type}/write`,
    run: (call) => changePassword(call, row),
  };
  const readSwitch: ArmRoute[] = entraSwitch
    ? [
        {
          ...entraSwitch,
          method: "GET",
          effect: "entraOnly",
          action: `${type}${entraSwitch.path.replace(/\/[^/]*$/, "")}/read`,
          run: ({ id, resource }) => ({
            status: 200,
            body: toBody(id + entraSwitch.path, type, entraSwitch.describe(resource)),
          }),
        },
      ]
    : [];
  return { ...row, routes: [read, change, ...readSwitch] };
}

function toBody(id: string, type: string, properties: object): object {
  return { id, name: id.split("/").at(-1), type, location: "westeurope", properties };
}

/** Accepts a change, and starts an operation that continues by itself. */
async function changePassword(call: ArmCall, row: AdminRow): Promise<ArmAnswer> {
  const { state, request, resource } = call;
  const properties = readObject(readObject(parseJson(request.body))["properties"] ?? {});
  const password = findText(properties, row.passwordAt);
  if (password !== undefined) {
    if (resource.entraOnly === true) throw new Refused(armErrors.entraOnly);
    const name = row.nameAt && findText(properties, row.nameAt);
    if (row.nameAt !== undefined && name !== resource.administratorLogin) {
      throw new Refused(armErrors.unreadable);
    }
    const refusal = passwordRefusal(password, resource.administratorLogin, row.minPassword);
    if (refusal) throw new Refused(refusal);
  }
  if (state.operations.isBusy(resource.name)) throw new Refused(armErrors.busy(resource.name));
  return accept(call, {
    show: () => toBody(call.id, row.type, row.describe(resource)),
    async land() {
      if (password === undefined) return;
      await resource.setPassword?.(resource.administratorLogin, password);
      state.landed.set(resource.name, (state.landed.get(resource.name) ?? 0) + 1);
    },
  });
}

function findText(properties: object, path: readonly string[]): string | undefined {
  let found: unknown = properties;
  for (const field of path) found = readObject(found ?? {})[field];
  if (found === undefined) return undefined;
  if (typeof found !== "string") throw new Refused(armErrors.unreadable);
  return found;
}

function readObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new Refused(armErrors.unreadable);
  return value as Readonly<Record<string, unknown>>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import {
  type ArmDouble as LocalArmDouble,
  type ArmDoubleOptions as LocalArmDoubleOptions,
  type SeenRequest,
  startArmDouble as start,
} from "../../../local/azure/arm/server.ts";
import { noteUse } from "../../servers/report/uses.ts";
import { localCertificate } from "../certificate.ts";

export type { ArmCredential, ArmRole } from "../../../local/azure/arm/credentials.ts";
export { armErrors } from "../../../local/azure/arm/errors.ts";
export type { ArmResource } from "../../../local/azure/arm/state.ts";

export type ArmDoubleOptions = Omit<LocalArmDoubleOptions, "tls" | "onRequest">;

export interface ArmDouble extends LocalArmDouble {
  /** PEM of the authority to trust. */
  readonly ca: string;
  readonly inspection: LocalArmDouble["inspection"] & {
    /** All of them. */
    readonly requests: readonly SeenRequest[];
  };
}

/** The double of Azure Resource Manager, which remembers its requests and appears in the report of the servers. */
export async function startArmDouble(options: ArmDoubleOptions): Promise<ArmDouble> {
  noteUse("arm", "double");
  const tls = await localCertificate();
  const requests: SeenRequest[] = [];
  const double = await start({
    ...{ ...options, tls },
    onRequest: (request) => void requests.push(request),
  });
  return { ...double, ca: tls.cert, inspection: { ...double.inspection, requests } };
}

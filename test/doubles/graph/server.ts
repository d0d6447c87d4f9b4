import {
  type GraphDouble as LocalGraphDouble,
  type GraphDoubleOptions as LocalGraphDoubleOptions,
  type SeenRequest,
  startGraphDouble as start,
} from "../../../local/azure/graph/server.ts";
import { noteUse } from "../../servers/report/uses.ts";
import { localCertificate } from "../certificate.ts";

export type { StoredSecret } from "../../../local/azure/graph/application.ts";
export { graphErrors } from "../../../local/azure/graph/errors.ts";
export type { GraphRole } from "../../../local/azure/graph/routes.ts";

export type GraphDoubleOptions = Omit<LocalGraphDoubleOptions, "tls" | "onRequest">;

export interface GraphDouble extends LocalGraphDouble {
  /** PEM of the authority to trust. */
  readonly ca: string;
  /** The requests to Graph. */
  readonly requests: SeenRequest[];
}

/** The double of Microsoft Graph, which remembers its requests and appears in the report of the servers. */
export async function startGraphDouble(options: GraphDoubleOptions = {}): Promise<GraphDouble> {
  noteUse("graph", "double");
  const tls = await localCertificate();
  const requests: SeenRequest[] = [];
  const double = await start({
    ...{ ...options, tls },
    onRequest: (request) => void requests.push(request),
  });
  return { ...double, ca: tls.cert, requests };
}

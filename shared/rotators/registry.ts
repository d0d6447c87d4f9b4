import type { TokenCredential } from "@azure/identity";
import { azureAdmin } from "./azure-admin/azure-admin.ts";
import { azureKey } from "./azure-key/azure-key.ts";
import { azureSasKey } from "./azure-key/azure-sas-key.ts";
import { azureSql } from "./azure-sql/azure-sql.ts";
import { azureSqlServer } from "./azure-sql-server/azure-sql-server.ts";
import { entraApp } from "./entra-app/entra-app.ts";
import { external } from "./external/external.ts";
import { mongodb } from "./mongodb/mongodb.ts";
import { mysql } from "./mysql/mysql.ts";
import { postgresql } from "./postgresql/postgresql.ts";
import { redis } from "./redis/redis.ts";
import type { Rotator } from "./rotator.ts";
import { makeWebhook } from "./webhook/webhook.ts";

/** Every kind of system that Keyturn can rotate, one line each. */
export const makeRotators = (credential: TokenCredential): readonly Rotator[] => [
  postgresql,
  mongodb,
  mysql,
  redis,
  azureSql,
  azureAdmin(credential),
  azureSqlServer(credential),
  azureKey(credential),
  azureSasKey(credential),
  entraApp(credential),
  external,
  makeWebhook(),
];

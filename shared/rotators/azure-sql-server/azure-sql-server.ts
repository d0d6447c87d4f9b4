import type { TokenCredential } from "@azure/identity";
import { type AzureSeams, makeAdminRotator } from "../azure-admin/azure-admin.ts";
import { findUnfitAdministrator } from "../common/sql-server/sql-server-account.ts";
import type { SettingRotator } from "../rotator.ts";
import {
  type AzureSqlServerOptions,
  azureSqlServerOptions,
  toTarget,
} from "./azure-sql-server-options.ts";

/** The administrator of a logical server of Azure SQL: an older form of `azure-admin` with `service: sql-server`. */
export function azureSqlServer(
  credential: TokenCredential,
  seams: AzureSeams = {},
): SettingRotator<AzureSqlServerOptions> {
  return makeAdminRotator(credential, seams, {
    type: "azure-sql-server",
    options: azureSqlServerOptions,
    toTarget,
    findUnfitAccount: findUnfitAdministrator,
  });
}

import { app } from "@azure/functions";
import { getApp } from "../shared/app.ts";

// A configuration with problems stops the app here, before any trigger fires, and lists every problem.
app.hook.appStart(async () => {
  await getApp();
});

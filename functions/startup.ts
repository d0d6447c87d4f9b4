import { app } from "@azure/functions";
import { getApp } from "../shared/app.ts";

// Without this, an answer is sent as a whole at its end.
app.setup({ enableHttpStream: true });

// A configuration with problems stops the app here, before any trigger fires, and lists every problem.
app.hook.appStart(async () => {
  await getApp();
});

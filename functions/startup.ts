import { app } from "@azure/functions";
import { theApp } from "../shared/app.ts";

// A configuration with problems stops the app here, with every problem listed, before any trigger fires.
app.hook.appStart(async () => {
  await theApp();
});

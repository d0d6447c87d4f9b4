/** Runs before each test file. */
import { expect } from "vitest";
import { beginFile } from "./uses.ts";

beginFile(expect.getState().testPath);

// Writes the types of the API out of its contract; only when they differ, so that nothing is built anew in vain.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const contract = new URL("../../openapi.yaml", import.meta.url);
const types = new URL("src/api/types.gen.ts", import.meta.url);

const text = COMMENT_HEADER + astToString(await openapiTS(contract, { defaultNonNullable: false }));
if (!existsSync(types) || readFileSync(types, "utf8") !== text) writeFileSync(types, text);

/** The SDK of this repository, as it is built. */

export * from "../../../sdk/typescript/dist/index.js";

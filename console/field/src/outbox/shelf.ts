// Rows and positions that wait, in the phone's own database.
import { openDB, type IDBPDatabase } from "idb";
import type { Row, Shelf } from "./outbox.svelte";
import type { Fix, FixShelf } from "./positions.svelte";

const NAME = "anshang-field";

const opened: Promise<IDBPDatabase> = openDB(NAME, 1, {
  upgrade(database) {
    database.createObjectStore("rows", { keyPath: "seq", autoIncrement: true });
    database.createObjectStore("fixes", { keyPath: "at" });
  },
});

export const rows: Shelf = {
  list: async () => (await (await opened).getAll("rows")) as Row[],
  // by JSON, for what comes from a screen may be no plain object; a picture is kept as it is
  put: async ({ blob, ...row }) =>
    Number(await (await opened).put("rows", { ...JSON.parse(JSON.stringify(row)), ...(blob && { blob }) })),
  remove: async (seq) => (await opened).delete("rows", seq),
};

export const fixes: FixShelf = {
  list: async (most) => (await (await opened).getAll("fixes", undefined, most)) as Fix[],
  put: async (fix) => void (await (await opened).put("fixes", fix)),
  count: async () => (await opened).count("fixes"),
  remove: async (ats) => {
    const change = (await opened).transaction("fixes", "readwrite");
    await Promise.all([...ats.map((at) => change.store.delete(at)), change.done]);
  },
  clear: async () => (await opened).clear("fixes"),
};

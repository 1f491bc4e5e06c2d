/** The flame graph of a page that has no other script: in the section that this script is in. */
import "../shared/flames.css";
import { flames, type Flames } from "../shared/flames.ts";

const section = document.currentScript?.closest<HTMLElement>(".flames");
const columns = section?.querySelector(".flames-data")?.textContent;
if (section && columns) flames(section, JSON.parse(columns) as Flames);

import "../shared/page.css";
import "./explorer.css";
import "./compared/compared.css";
import { data } from "../shared/data.ts";
import type { PageData } from "./exploration.ts";
import { Explorer } from "./explorer.ts";

void data<PageData>().then((page) => new Explorer(page).start());

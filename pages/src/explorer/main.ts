import "../shared/page.css";
import { data } from "../shared/data.ts";

void data();

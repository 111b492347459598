//! `/form`: a page that tries every operation. Its plain forms have imaginary's targets, which clients look for.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::plan::Endpoint;
use crate::server::app::App;
use crate::server::json;

const PAGE: &str = include_str!("../../../assets/form.html");

/// Title, endpoint and arguments of imaginary's forms, in its order.
const FORMS: &[(&str, &str, &str)] = &[
    ("Resize", "resize", "width=300&height=200&type=jpeg"),
    ("Force resize", "resize", "width=300&height=200&force=true"),
    ("Crop", "crop", "width=300&quality=95"),
    ("Smart crop", "crop", "width=300&height=260&quality=95&gravity=smart"),
    ("Extract", "extract", "top=100&left=100&areawidth=300&areaheight=150"),
    ("Enlarge", "enlarge", "width=1440&height=900&quality=95"),
    ("Rotate", "rotate", "rotate=180"),
    ("Autorotate", "autorotate", "quality=90"),
    ("Flip", "flip", ""),
    ("Flop", "flop", ""),
    ("Thumbnail", "thumbnail", "width=100"),
    ("Zoom", "zoom", "factor=2&areawidth=300&top=80&left=80"),
    ("Black and white", "resize", "width=400&height=300&colorspace=bw"),
    ("Watermark", "watermark", "textwidth=100&text=Hello&font=sans%2012&opacity=0.5&color=255,200,50"),
    ("Convert", "convert", "type=png"),
    ("Facts", "info", ""),
    ("Gaussian blur", "blur", "sigma=15.0&minampl=0.2"),
    (
        "Pipeline",
        "pipeline",
        "operations=%5B%7B%22operation%22:%20%22crop%22,%20%22params%22:%20%7B%22width%22:%20300,%20%22height%22:%20260%7D%7D,%20%7B%22operation%22:%20%22convert%22,%20%22params%22:%20%7B%22type%22:%20%22webp%22%7D%7D%5D",
    ),
];

/// The page for a server whose routes start with `prefix`.
pub(in crate::server) fn page(prefix: &str) -> String {
    let mut forms = String::new();
    for (title, endpoint, arguments) in FORMS {
        // The `&` of the arguments stay as they are: clients search the page for the plain text.
        forms.push_str(&format!(
            "<form method=\"POST\" action=\"{}/{endpoint}?{arguments}\" enctype=\"multipart/form-data\">\n\
             <h3>{title}</h3>\n<input type=\"file\" name=\"file\" />\n<input type=\"submit\" value=\"Upload\" />\n</form>\n",
            attribute(prefix)
        ));
    }
    let operations: Vec<String> = Endpoint::ALL.iter().map(|endpoint| json::string(endpoint.name())).collect();
    let params: Vec<String> = crate::plan::PARAMS
        .iter()
        .map(|param| {
            let choices: Vec<String> = choices(param.name).iter().map(|choice| json::string(choice)).collect();
            let endpoints: Vec<String> = param.endpoints.iter().map(|e| json::string(e.name())).collect();
            format!(
                "{{\"name\":{},\"kind\":{},\"default\":{},\"help\":{},\"choices\":[{}],\"endpoints\":[{}]}}",
                json::string(param.name),
                json::string(param.kind.name()),
                json::string(param.default),
                json::string(param.meaning),
                choices.join(","),
                endpoints.join(",")
            )
        })
        .collect();
    PAGE.replacen("/*PREFIX*/\"\"", &json::string(prefix), 1)
        .replacen("/*OPERATIONS*/[]", &format!("[{}]", operations.join(",")), 1)
        .replacen("/*PARAMS*/[]", &format!("[{}]", params.join(",\n")), 1)
        .replacen("<!--FORMS-->", &forms, 1)
}

/// The values that a select box offers.
fn choices(param: &str) -> &'static [&'static str] {
    match param {
        "type" => &["jpeg", "png", "webp", "tiff", "auto"],
        "gravity" => &["centre", "north", "south", "east", "west", "smart"],
        "extend" => &["mirror", "copy", "black", "white", "background", "lastpixel"],
        "colorspace" => &["srgb", "bw"],
        "flip" | "flop" | "force" | "embed" | "nocrop" | "noprofile" | "norotation" | "noreplicate" | "stripmeta"
        | "interlace" | "palette" => &["true", "false"],
        _ => &[],
    }
}

/// Text for the inside of a quoted attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// The answer. Nothing on the page comes from elsewhere, and the policy says so.
pub(in crate::server) fn answer(app: &App) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
             img-src 'self' blob: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
        ))
        .body(app.form.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imaginarys_forms_are_there_to_the_byte() {
        let page = page("/api");
        for (_, endpoint, arguments) in FORMS {
            let form = format!("action=\"/api/{endpoint}?{arguments}\" enctype=\"multipart/form-data\"");
            assert!(page.contains(&form), "{form}");
        }
        assert_eq!(page.matches("<input type=\"file\" name=\"file\" />").count(), FORMS.len());
        assert!(super::page("").contains("action=\"/info?\""));
    }

    #[test]
    fn every_slot_is_filled_and_a_prefix_cannot_break_out() {
        let page = page("/a\"></form><script>");
        assert!(!page.contains("/*P") && !page.contains("/*O") && !page.contains("<!--FORMS-->"));
        assert!(!page.contains("/a\">"));
        assert!(page.contains("\"watermarkimage\"") && page.contains("\"areawidth\""));
    }
}

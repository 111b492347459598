mod corpus;

#[test]
#[ignore]
fn dump() {
    let path = std::env::var("DUMP_IN").unwrap();
    for path in path.split(',') {
        let bytes = std::fs::read(path).unwrap();
        let limits = crate::codecs::Limits::default();
        let header = crate::codecs::probe(&bytes, &limits).unwrap();
        let d = crate::codecs::decode(&bytes, &header, &Default::default(), &limits, &|| false).unwrap();
        let crate::image::Picture::Packed(i) = d.picture else { panic!() };
        let out =
            crate::codecs::encode(&i, &d.metadata, &crate::codecs::EncodeSpec::new(crate::codecs::OutputFormat::Png))
                .unwrap();
        let name = format!("/tmp/cx/d-{}.png", path.rsplit('/').next().unwrap());
        println!("{name} {header:?}");
        std::fs::write(name, out).unwrap();
    }
}

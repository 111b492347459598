mod corpus;
pub(in crate::codecs) mod pictures;

use cofferdam_sdk::Error;
use serde_json::{Value, json};

use super::{DestinationConfig, SourceConfig};

fn source(config: Value) -> Result<SourceConfig, Error> {
    let config: SourceConfig = cofferdam_sdk::parse_config(&config.to_string())?;
    config.validate().map(|()| config)
}

fn destination(config: Value) -> Result<DestinationConfig, Error> {
    let config: DestinationConfig = cofferdam_sdk::parse_config(&config.to_string())?;
    config.validate().map(|()| config)
}

fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    let Err(Error::Config(faults)) = result else { panic!("was accepted: {result:?}") };
    (faults[0].path.clone(), faults[0].message.clone())
}

#[test]
fn faults_of_a_source_name_their_field() {
    assert_eq!(fault(source(json!({"path": "movies.csv"}))).0, "/path");
    assert_eq!(fault(source(json!({"path": "/data/*.csv", "stream": "all"}))).0, "/stream");
    assert_eq!(fault(source(json!({"path": "/data/a.csv", "columns": {"a": "integer"}}))).0, "/columns/a");
    assert_eq!(fault(source(json!({"path": "/d/a.csv", "csv": {"delimiter": ";;"}}))).0, "/csv/delimiter");
    assert_eq!(
        fault(source(json!({"path": "/d/a.csv", "csv": {"quote": ",", "delimiter": ","}}))).0,
        "/csv/quote"
    );
    assert_eq!(fault(source(json!({"path": "/d/a.csv", "csv": {"delimeter": ";"}}))).0, "/csv/delimeter");
    assert_eq!(fault(source(json!({"path": "/d/a.csv", "compression": "snappy"}))).0, "/compression");
    let fine = source(json!({"path": "/data/*.csv", "stream": "all", "streams": "one"})).unwrap();
    assert_eq!(fine.infer_rows, 1000);
}

#[test]
fn faults_of_a_destination_name_their_field() {
    assert_eq!(fault(destination(json!({"directory": "out"}))).0, "/directory");
    assert_eq!(fault(destination(json!({"directory": "/out/../x"}))).0, "/directory");
    assert_eq!(fault(destination(json!({"directory": "/out", "name": "all"}))).0, "/name");
    assert_eq!(fault(destination(json!({"directory": "/out", "name": "../{stream}"}))).0, "/name");
    assert_eq!(fault(destination(json!({"directory": "/out", "compression": "snappy"}))).0, "/compression");
    assert!(destination(json!({"directory": "/out", "compression": "snappy", "format": "parquet"})).is_ok());
}

#[test]
fn files_called_tsv_are_separated_by_tabs_unless_said_otherwise() {
    let plain = source(json!({"path": "/data/*"})).unwrap();
    assert_eq!(plain.dialect("a.tsv.gz").unwrap().delimiter, b'\t');
    assert_eq!(plain.dialect("a.csv").unwrap().delimiter, b',');
    let said = source(json!({"path": "/data/*", "csv": {"delimiter": ";"}})).unwrap();
    assert_eq!(said.dialect("a.tsv").unwrap().delimiter, b';');
}

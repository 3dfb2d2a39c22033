# `moto` as an object store that checks who asks: after its set-up every request needs a signature by the one key there is.
import json, os, threading

os.environ.update(AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="nobody", AWS_DEFAULT_REGION="eu-central-1")

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()


def client(name):
    return boto3.client(name, endpoint_url=f"http://{host}:{port}")


iam = client("iam")
iam.create_user(UserName="shop")
key = iam.create_access_key(UserName="shop")["AccessKey"]
allowed = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders-of-shop/*"}]
policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
iam.put_user_policy(UserName="shop", PolicyName="reads", PolicyDocument=policy)
s3 = client("s3")
s3.create_bucket(Bucket="orders-of-shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
s3.put_object(Bucket="orders-of-shop", Key="movies", Body=json.dumps({"data": [{"id": 1}, {"id": 2}]}))
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
print(json.dumps({"port": port, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
threading.Event().wait()

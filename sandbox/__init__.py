"""The AWS-in-a-box: moto as the EC2 API, and Linux namespaces as a data plane that obeys it."""

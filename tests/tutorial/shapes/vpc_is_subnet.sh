# The VPC is the subnet; the region is the profile's, all is tagged where it is made, the keys have a folder, the
# rules come in one call with the person's own address in it, and the routes lead to network interfaces.
AWS_REGION=${AWS_DEFAULT_REGION:-$(aws configure get region)}
export AWS_DEFAULT_OUTPUT=text
tag() { printf 'ResourceType=%s,Tags=[{Key=Name,Value=%s}]' "$1" "${2:-kube}"; }
query() {
  aws ec2 describe-instances --filters "Name=tag:Name,Values=$1" Name=instance-state-name,Values=running \
    --query "Reservations[0].Instances[0].$2"
}
# step: network
VPC=$(aws ec2 create-vpc --cidr-block 10.240.0.0/24 --tag-specifications "$(tag vpc)" --query Vpc.VpcId)
aws ec2 modify-vpc-attribute --vpc-id "$VPC" --enable-dns-hostnames
SUBNET=$(aws ec2 create-subnet --vpc-id "$VPC" --cidr-block 10.240.0.0/24 --tag-specifications "$(tag subnet)" \
  --availability-zone "${AWS_REGION}b" --query Subnet.SubnetId)
GATEWAY=$(aws ec2 create-internet-gateway --tag-specifications "$(tag internet-gateway)" \
  --query InternetGateway.InternetGatewayId)
aws ec2 attach-internet-gateway --vpc-id "$VPC" --internet-gateway-id "$GATEWAY"
TABLE=$(aws ec2 create-route-table --vpc-id "$VPC" --tag-specifications "$(tag route-table)" \
  --query RouteTable.RouteTableId)
# step: association
aws ec2 associate-route-table --route-table-id "$TABLE" --subnet-id "$SUBNET" >/dev/null
# step: default route
aws ec2 create-route --route-table-id "$TABLE" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY" >/dev/null
# step: group
GROUP=$(aws ec2 create-security-group --group-name kube --description kube --vpc-id "$VPC" \
  --tag-specifications "$(tag security-group)" --query GroupId)
RULES='{"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}'
# step: rule for the nodes
RULES="$RULES, {\"IpProtocol\": \"-1\", \"IpRanges\": [{\"CidrIp\": \"10.240.0.0/24\"}, {\"CidrIp\": \"10.200.0.0/16\"}]}"
# step: rule for SSH
ME=$(curl -s https://checkip.amazonaws.com)
RULES="$RULES, {\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"IpRanges\": [{\"CidrIp\": \"$ME/32\"}]}"
# step: rules
aws ec2 authorize-security-group-ingress --group-id "$GROUP" --ip-permissions "[$RULES]" >/dev/null
# step: key
mkdir -p keys
ssh-keygen -q -t ed25519 -N '' -f keys/kube
aws ec2 import-key-pair --key-name kube --public-key-material fileb://keys/kube.pub >/dev/null
# step: machines
IMAGE=$(aws ec2 describe-images --owners 099720109477 --query 'sort_by(Images, &CreationDate)[-1].ImageId' \
  --filters 'Name=name,Values=ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-*')
PUBLIC=false
CHECK=--source-dest-check
SAID=name
# step: public addresses
PUBLIC=true
# step: source/dest check off
CHECK=--no-source-dest-check
# step: pod CIDR in the user data
SAID=pod-cidr
# step: launch
for n in 0 1; do
  card="[{\"DeviceIndex\": 0, \"SubnetId\": \"$SUBNET\", \"Groups\": [\"$GROUP\"], \"AssociatePublicIpAddress\": $PUBLIC,
    \"PrivateIpAddress\": \"10.240.0.2$n\"}]"
  aws ec2 run-instances --image-id "$IMAGE" --instance-type t3.micro --key-name kube \
    --network-interfaces "$card" --user-data "$SAID=10.200.$n.0/24" \
    --tag-specifications "$(tag instance worker-$n)" --query 'Instances[].InstanceId' >>instances
  aws ec2 modify-instance-attribute --instance-id "$(tail -n 1 instances)" $CHECK
done
aws ec2 wait instance-running --instance-ids $(cat instances)
# step: workers
eval "$(ssh-agent)" >/dev/null
trap 'kill $SSH_AGENT_PID' EXIT
ssh-add -q keys/kube
for n in 0 1; do
  host=$(query worker-$n PublicDnsName)
  ssh-keyscan "$host" >>known 2>/dev/null
  ssh -o UserKnownHostsFile=known "ubuntu@$host" "cat >10-bridge.conf" <<END
{"cniVersion": "0.3.1", "name": "bridge", "type": "bridge", "bridge": "cnio0", "isGateway": true, "ipMasq": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.200.$n.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
END
  ssh -o UserKnownHostsFile=known "ubuntu@$host" 'sudo mkdir -p /etc/cni/net.d
    sudo mv 10-bridge.conf /etc/cni/net.d/; sudo sysctl -q -w net.ipv4.ip_forward=1'
done
# step: route of worker-0
WORKERS=0
# step: route of worker-1
WORKERS="${WORKERS:-} 1"
# step: routes
for n in ${WORKERS:-}; do
  card=$(query worker-$n 'NetworkInterfaces[0].NetworkInterfaceId')
  aws ec2 create-route --route-table-id "$TABLE" --destination-cidr-block "10.200.$n.0/24" \
    --network-interface-id "$card" >/dev/null
done
# step: clean-up
aws ec2 terminate-instances --instance-ids $(cat instances) >/dev/null
aws ec2 wait instance-terminated --instance-ids $(cat instances)
aws ec2 delete-key-pair --key-name kube >/dev/null
aws ec2 delete-security-group --group-id "$GROUP" >/dev/null
aws ec2 delete-subnet --subnet-id "$SUBNET"
aws ec2 delete-route-table --route-table-id "$TABLE"
aws ec2 detach-internet-gateway --internet-gateway-id "$GATEWAY" --vpc-id "$VPC"
aws ec2 delete-internet-gateway --internet-gateway-id "$GATEWAY"
aws ec2 delete-vpc --vpc-id "$VPC"

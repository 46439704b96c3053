# The commonest shape: one public subnet with a table of its own, everything tagged after it was made, user data
# of pairs, the source/dest check switched off after the launch.
text() { aws ec2 "$@" --output text; }
name() { aws ec2 create-tags --resources "$1" --tags "Key=Name,Value=$2"; }
address_of() {
  text describe-instances --filters "Name=tag:Name,Values=$1" Name=instance-state-name,Values=running \
    --query 'Reservations[].Instances[].PublicIpAddress'
}
# step: network
VPC=$(text create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
name "$VPC" lab
aws ec2 modify-vpc-attribute --vpc-id "$VPC" --enable-dns-support '{"Value": true}'
aws ec2 modify-vpc-attribute --vpc-id "$VPC" --enable-dns-hostnames '{"Value": true}'
SUBNET=$(text create-subnet --vpc-id "$VPC" --cidr-block 10.0.1.0/24 --query Subnet.SubnetId)
name "$SUBNET" lab
GATEWAY=$(text create-internet-gateway --query InternetGateway.InternetGatewayId)
aws ec2 attach-internet-gateway --internet-gateway-id "$GATEWAY" --vpc-id "$VPC"
TABLE=$(text create-route-table --vpc-id "$VPC" --query RouteTable.RouteTableId)
# step: association
aws ec2 associate-route-table --route-table-id "$TABLE" --subnet-id "$SUBNET" >/dev/null
# step: default route
aws ec2 create-route --route-table-id "$TABLE" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY" >/dev/null
# step: group
GROUP=$(text create-security-group --group-name lab --description lab --vpc-id "$VPC" --query GroupId)
lets_in() { aws ec2 authorize-security-group-ingress --group-id "$GROUP" "$@" >/dev/null; }
lets_in --protocol tcp --port 6443 --cidr 0.0.0.0/0
lets_in --protocol icmp --port -1 --cidr 0.0.0.0/0
# step: rule for the nodes
lets_in --protocol all --cidr 10.0.0.0/16
# step: rule for the pods
lets_in --protocol all --cidr 10.200.0.0/16
# step: rule for SSH
lets_in --protocol tcp --port 22 --cidr 0.0.0.0/0
# step: key
text create-key-pair --key-name lab --query KeyMaterial >lab.id_rsa
chmod 600 lab.id_rsa
# step: machines
IMAGE=$(text describe-images --owners 099720109477 --query 'sort_by(Images, &CreationDate)[-1].ImageId' \
  --filters 'Name=name,Values=ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*')
PUBLIC=--no-associate-public-ip-address
CHECK=true
# step: public addresses
PUBLIC=--associate-public-ip-address
# step: source/dest check off
CHECK=false
# step: launch
launch() { # NAME ADDRESS USER-DATA
  id=$(text run-instances --image-id "$IMAGE" --count 1 --instance-type t3.micro --key-name lab $PUBLIC \
    --security-group-ids "$GROUP" --subnet-id "$SUBNET" --private-ip-address "$2" --user-data "$3" \
    --block-device-mappings '{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 20}, "NoDevice": ""}' \
    --query 'Instances[].InstanceId')
  [ $CHECK = true ] || aws ec2 modify-instance-attribute --instance-id "$id" --no-source-dest-check
  name "$id" "$1"
}
launch controller-0 10.0.1.10 name=controller-0
for n in 0 1; do
  launch worker-$n 10.0.1.2$n "name=worker-$n|pod-cidr=10.200.$n.0/24"
done
aws ec2 wait instance-running --filters "Name=vpc-id,Values=$VPC"
# step: workers
cat >bridge.conf <<'END'
{"cniVersion": "0.4.0", "name": "bridge", "type": "bridge", "bridge": "cnio0", "isGateway": true, "ipMasq": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
END
for n in 0 1; do
  ip=$(address_of worker-$n)
  scp -i lab.id_rsa -o StrictHostKeyChecking=no bridge.conf "ubuntu@$ip:~/"
  ssh -i lab.id_rsa -o StrictHostKeyChecking=no "ubuntu@$ip" 'bash -s' <<'END'
    set -e
    cidr=$(curl -s http://169.254.169.254/latest/user-data | tr '|' '\n' | grep '^pod-cidr' | cut -d= -f2)
    sudo mkdir -p /etc/cni/net.d
    sed "s#POD_CIDR#$cidr#" bridge.conf | sudo tee /etc/cni/net.d/10-bridge.conf >/dev/null
    sudo sysctl -q -w net.ipv4.ip_forward=1
END
done
# step: route of worker-0
WORKERS=0
# step: route of worker-1
WORKERS="${WORKERS:-} 1"
# step: routes
for n in ${WORKERS:-}; do
  id=$(text describe-instances --filters "Name=tag:Name,Values=worker-$n" Name=instance-state-name,Values=running \
    --query 'Reservations[].Instances[].InstanceId')
  cidr=$(text describe-instance-attribute --instance-id "$id" --attribute userData --query UserData.Value |
    base64 --decode | tr '|' '\n' | grep '^pod-cidr' | cut -d= -f2)
  aws ec2 create-route --route-table-id "$TABLE" --destination-cidr-block "$cidr" --instance-id "$id" >/dev/null
done
# step: clean-up
ALL=$(text describe-instances --filters "Name=vpc-id,Values=$VPC" --query 'Reservations[].Instances[].InstanceId')
aws ec2 terminate-instances --instance-ids $ALL >/dev/null
aws ec2 wait instance-terminated --instance-ids $ALL
aws ec2 delete-key-pair --key-name lab >/dev/null
aws ec2 delete-security-group --group-id "$GROUP" >/dev/null
aws ec2 disassociate-route-table --association-id "$(text describe-route-tables --route-table-ids "$TABLE" \
  --query 'RouteTables[0].Associations[0].RouteTableAssociationId')"
aws ec2 delete-route-table --route-table-id "$TABLE"
aws ec2 detach-internet-gateway --internet-gateway-id "$GATEWAY" --vpc-id "$VPC"
aws ec2 delete-internet-gateway --internet-gateway-id "$GATEWAY"
aws ec2 delete-subnet --subnet-id "$SUBNET"
aws ec2 delete-vpc --vpc-id "$VPC"

# Kernel routes on the nodes: Debian's images, a list of the machines, the VPC's main table, no pod CIDR in AWS, and
# a machine in front that leads to pods as well.
text() { aws ec2 "$@" --output text; }
# step: network
VPC=$(text create-vpc --cidr-block 172.20.0.0/16 --query Vpc.VpcId)
SUBNET=$(text create-subnet --vpc-id "$VPC" --cidr-block 172.20.4.0/22 --query Subnet.SubnetId)
GATEWAY=$(text create-internet-gateway --query InternetGateway.InternetGatewayId)
aws ec2 attach-internet-gateway --vpc-id "$VPC" --internet-gateway-id "$GATEWAY"
TABLE=$(text describe-route-tables --filters "Name=vpc-id,Values=$VPC" --query 'RouteTables[0].RouteTableId')
# step: default route
aws ec2 create-route --route-table-id "$TABLE" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY" >/dev/null
# step: public addresses
aws ec2 modify-subnet-attribute --subnet-id "$SUBNET" --map-public-ip-on-launch
# step: group
GROUP=$(text create-security-group --group-name k8s --description k8s --vpc-id "$VPC" --query GroupId)
# step: rule for the nodes
aws ec2 authorize-security-group-ingress --group-id "$GROUP" --protocol all --source-group "$GROUP" >/dev/null
# step: rule for the pods
aws ec2 authorize-security-group-ingress --group-id "$GROUP" --protocol all --cidr 10.200.0.0/16 >/dev/null
# step: rule for the nodes' range
aws ec2 authorize-security-group-ingress --group-id "$GROUP" --protocol all --cidr 172.20.0.0/16 >/dev/null
# step: rule for SSH
aws ec2 authorize-security-group-ingress --group-id "$GROUP" --protocol tcp --port 22 --cidr 0.0.0.0/0 >/dev/null
# step: key
text create-key-pair --key-name k8s --key-type ed25519 --query KeyMaterial >k8s.pem
chmod 400 k8s.pem
# step: machines
IMAGE=$(text describe-images --owners 136693071363 --filters 'Name=name,Values=debian-12-amd64-*' \
  --query 'sort_by(Images, &CreationDate)[-1].ImageId')
CHECK=true
# step: source/dest check off
CHECK=false
# step: launch
for name in server node-0 node-1; do
  id=$(text run-instances --image-id "$IMAGE" --instance-type t3.micro --key-name k8s \
    --security-group-ids "$GROUP" --subnet-id "$SUBNET" --query 'Instances[0].InstanceId' \
    --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]")
  IDS="${IDS:-} $id"
  [ $CHECK = true ] || aws ec2 modify-instance-attribute --instance-id "$id" --no-source-dest-check
done
aws ec2 wait instance-running --instance-ids $IDS
text describe-instances --filters "Name=vpc-id,Values=$VPC" Name=instance-state-name,Values=running \
  --query 'Reservations[].Instances[].[PrivateIpAddress,PublicIpAddress,Tags[?Key==`Name`]|[0].Value]' >machines.txt
on() { # NAME COMMAND
  ssh -n -i k8s.pem -o StrictHostKeyChecking=no "admin@$(awk -v name="$1" '$3 == name {print $2}' machines.txt)" "$2"
}
inside() { awk -v name="$1" '$3 == name {print $1}' machines.txt; }
# step: workers
for n in 0 1; do
  on node-$n "sudo mkdir -p /etc/cni/net.d && sudo tee /etc/cni/net.d/10-bridge.conf >/dev/null <<'END'
{\"cniVersion\": \"1.0.0\", \"name\": \"bridge\", \"type\": \"bridge\", \"bridge\": \"cni0\", \"isGateway\": true, \"ipMasq\": true,
 \"ipam\": {\"type\": \"host-local\", \"ranges\": [[{\"subnet\": \"10.200.$n.0/24\"}]], \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}}
END
sudo sysctl -q -w net.ipv4.ip_forward=1"
done
# step: node-0's route
on node-0 "sudo ip route add 10.200.1.0/24 via $(inside node-1)"
# step: node-1's route
on node-1 "sudo ip route add 10.200.0.0/24 via $(inside node-0)"
# step: the server's routes
on server "sudo ip route add 10.200.0.0/24 via $(inside node-0); sudo ip route add 10.200.1.0/24 via $(inside node-1)"
# step: clean-up
ALL=$(text describe-instances --filters "Name=vpc-id,Values=$VPC" --query 'Reservations[].Instances[].InstanceId')
aws ec2 terminate-instances --instance-ids $ALL >/dev/null
aws ec2 wait instance-terminated --instance-ids $ALL
aws ec2 delete-key-pair --key-name k8s >/dev/null
aws ec2 delete-security-group --group-id "$GROUP" >/dev/null
aws ec2 delete-subnet --subnet-id "$SUBNET"
aws ec2 detach-internet-gateway --internet-gateway-id "$GATEWAY" --vpc-id "$VPC"
aws ec2 delete-internet-gateway --internet-gateway-id "$GATEWAY"
aws ec2 delete-vpc --vpc-id "$VPC"

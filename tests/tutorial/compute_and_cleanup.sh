# The compute chapter and the clean-up chapter, as a person types them; and what AWS says to who forgets a step.
set -eu
text() { aws "$@" --output text; }
refused() { # refused CODE COMMAND …
    local code=$1 said
    shift
    if said=$("$@" 2>&1); then echo "not refused: $*"; exit 1; fi
    case $said in *"($code)"*) echo "refused: $code" ;; *) echo "instead of $code: $said"; exit 1 ;; esac
}

# --- the network
VPC=$(text ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId \
    --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=kthw}]')
aws ec2 modify-vpc-attribute --vpc-id $VPC --enable-dns-support '{"Value": true}'
aws ec2 modify-vpc-attribute --vpc-id $VPC --enable-dns-hostnames '{"Value": true}'
SUBNET=$(text ec2 create-subnet --vpc-id $VPC --cidr-block 10.0.1.0/24 --query Subnet.SubnetId)
aws ec2 create-tags --resources $SUBNET --tags Key=Name,Value=kubernetes Key=Course,Value='spring term'
GATEWAY=$(text ec2 create-internet-gateway --query InternetGateway.InternetGatewayId)
aws ec2 attach-internet-gateway --internet-gateway-id $GATEWAY --vpc-id $VPC
TABLE=$(text ec2 create-route-table --vpc-id $VPC --query RouteTable.RouteTableId)
ASSOCIATION=$(text ec2 associate-route-table --route-table-id $TABLE --subnet-id $SUBNET --query AssociationId)
aws ec2 create-route --route-table-id $TABLE --destination-cidr-block 0.0.0.0/0 --gateway-id $GATEWAY >/dev/null
GROUP=$(text ec2 create-security-group --group-name kubernetes --description 'the nodes' --vpc-id $VPC --query GroupId)
aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol all --cidr 10.0.0.0/16 >/dev/null
aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol tcp --port 22 --cidr 0.0.0.0/0 >/dev/null
refused MissingParameter aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol all
RULE=$(text ec2 describe-security-group-rules --filters Name=group-id,Values=$GROUP \
    --query 'SecurityGroupRules[?FromPort==`22`].SecurityGroupRuleId')
aws ec2 modify-security-group-rules --group-id $GROUP --security-group-rules \
    "SecurityGroupRuleId=$RULE,SecurityGroupRule={IpProtocol=tcp,FromPort=22,ToPort=22,CidrIpv4=0.0.0.0/0,Description=ssh}" >/dev/null

# --- the load balancer in front of the controllers
BALANCER=$(text elbv2 create-load-balancer --name kubernetes --subnets $SUBNET --scheme internet-facing \
    --type network --query 'LoadBalancers[].LoadBalancerArn')
TARGETS=$(text elbv2 create-target-group --name kubernetes --protocol TCP --port 6443 --vpc-id $VPC \
    --target-type ip --query 'TargetGroups[].TargetGroupArn')
aws elbv2 register-targets --target-group-arn $TARGETS --targets Id=10.0.1.10
aws elbv2 create-listener --load-balancer-arn $BALANCER --protocol TCP --port 443 \
    --default-actions Type=forward,TargetGroupArn=$TARGETS >/dev/null
text elbv2 describe-load-balancers --load-balancer-arns $BALANCER --query 'LoadBalancers[].DNSName'

# --- the machines
IMAGE=$(text ec2 describe-images --owners 099720109477 --query 'sort_by(Images,&Name)[-1].ImageId' --filters \
    Name=root-device-type,Values=ebs Name=architecture,Values=x86_64 \
    'Name=name,Values=ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-*')
[ "$IMAGE" = "$(text ssm get-parameters --query 'Parameters[0].[Value]' \
    --names /aws/service/canonical/ubuntu/server/20.04/stable/current/amd64/hvm/ebs-gp2/ami-id)" ]
text ec2 create-key-pair --key-name kubernetes --query KeyMaterial >kubernetes.id_rsa
chmod 600 kubernetes.id_rsa
ssh-keygen -q -y -f kubernetes.id_rsa >mine.pub
aws ec2 import-key-pair --key-name mine --public-key-material fileb://mine.pub >/dev/null
launch() { # launch NAME ADDRESS KEY
    text ec2 run-instances --associate-public-ip-address --image-id $IMAGE --count 1 --key-name $3 \
        --security-group-ids $GROUP --instance-type t3.micro --private-ip-address $2 --subnet-id $SUBNET \
        --user-data "name=$1" --query 'Instances[].InstanceId' \
        --block-device-mappings '{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 50}, "NoDevice": ""}' \
        --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$1}]"
}
refused InvalidAMIID.Malformed aws ec2 run-instances --image-id None --instance-type t3.micro --subnet-id $SUBNET
refused InvalidInstanceID.NotFound aws ec2 create-tags --resources i-0123456789abcdef0 --tags Key=Name,Value=x
CONTROLLER=$(launch controller-0 10.0.1.10 kubernetes)
WORKER=$(launch worker-0 10.0.1.20 mine)
aws ec2 modify-instance-attribute --instance-id $WORKER --no-source-dest-check
aws ec2 wait instance-running --instance-ids $CONTROLLER $WORKER
ELASTIC=$(text ec2 allocate-address --domain vpc --query AllocationId)
aws ec2 associate-address --allocation-id $ELASTIC --instance-id $CONTROLLER >/dev/null
text ec2 describe-instances --filters Name=vpc-id,Values=$VPC --query \
    'sort_by(Reservations[].Instances[],&PrivateIpAddress)[].[Tags[?Key==`Name`]|[0].Value,PrivateIpAddress,State.Name]'
text ec2 describe-volumes --query 'Volumes[].[Size,Attachments[0].Device]'
text elbv2 describe-target-health --target-group-arn $TARGETS --query 'TargetHealthDescriptions[].TargetHealth.State'
for user in $CONTROLLER $WORKER; do
    address=$(text ec2 describe-instances --instance-ids $user --query 'Reservations[].Instances[].PublicIpAddress')
    for _ in $(seq 50); do
        ssh -F "$KTHW_SSH_CONFIG" -i kubernetes.id_rsa -o ConnectTimeout=10 ubuntu@$address hostname && break
        sleep 0.2
    done
done

# --- cleaning up: too early first
refused DependencyViolation aws ec2 delete-vpc --vpc-id $VPC
refused DependencyViolation aws ec2 detach-internet-gateway --internet-gateway-id $GATEWAY --vpc-id $VPC
text ec2 terminate-instances --instance-ids $CONTROLLER $WORKER --query 'TerminatingInstances[].CurrentState.Name'
refused DependencyViolation aws ec2 delete-security-group --group-id $GROUP
aws ec2 wait instance-terminated --instance-ids $CONTROLLER $WORKER
aws ec2 release-address --allocation-id $ELASTIC
aws ec2 delete-key-pair --key-name kubernetes
aws ec2 delete-key-pair --key-name mine
refused ResourceInUse aws elbv2 delete-target-group --target-group-arn $TARGETS
aws elbv2 delete-load-balancer --load-balancer-arn $BALANCER
aws elbv2 delete-target-group --target-group-arn $TARGETS
aws elbv2 wait load-balancers-deleted --load-balancer-arns $BALANCER
aws ec2 delete-security-group --group-id $GROUP >/dev/null
refused DependencyViolation aws ec2 delete-route-table --route-table-id $TABLE
aws ec2 disassociate-route-table --association-id $ASSOCIATION
aws ec2 delete-route-table --route-table-id $TABLE
for _ in $(seq 60); do # the load balancer's interface goes a while after it
    aws ec2 detach-internet-gateway --internet-gateway-id $GATEWAY --vpc-id $VPC && break
    sleep 0.5
done
aws ec2 delete-internet-gateway --internet-gateway-id $GATEWAY
aws ec2 delete-subnet --subnet-id $SUBNET
aws ec2 delete-vpc --vpc-id $VPC
left() { echo "left: $1 $(text "${@:2}")"; }
left vpcs ec2 describe-vpcs --query 'length(Vpcs)'
left interfaces ec2 describe-network-interfaces --query 'length(NetworkInterfaces)'
left volumes ec2 describe-volumes --query 'length(Volumes)'
left addresses ec2 describe-addresses --query 'length(Addresses)'
left keys ec2 describe-key-pairs --query 'length(KeyPairs)'
left balancers elbv2 describe-load-balancers --query 'length(LoadBalancers)'
left machines ec2 describe-instances --query 'length(Reservations[].Instances[?State.Name!=`terminated`][])'

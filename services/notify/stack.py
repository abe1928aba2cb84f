"""The SES identity of the sender of notify's e-mails."""

from chassis.aws.captured_email import mailbox_statement
from chassis.declare.stack import StackContext, StackPart
from services.notify.settings import NotifySettings

SES = "sesv2"


def resources(context: StackContext) -> StackPart:
    """The sender's domain, verified by the DNS records that SES asks for, and the rules for e-mails sent from it.

    Each stage needs a domain of its own (`NOTIFY_SENDER` when deploying): an account has each identity only once.
    """
    settings = NotifySettings()
    if SES in context.without:
        return StackPart(
            environment={"NOTIFY_SENDER": settings.notify_sender, "TENFOLD_MAILBOX": context.names.mailbox},
            statements=(mailbox_statement(context.names),),
        )
    rules = {
        "Type": "AWS::SES::ConfigurationSet",
        "Properties": {
            "Name": context.names.stack(context.service),
            "ReputationOptions": {"ReputationMetricsEnabled": True},
            "SuppressionOptions": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        },
    }
    sender = {
        "Type": "AWS::SES::EmailIdentity",
        "Properties": {
            "EmailIdentity": settings.sender_domain,
            "ConfigurationSetAttributes": {"ConfigurationSetName": {"Ref": "MailRules"}},
            "DkimAttributes": {"SigningEnabled": True},
        },
    }
    send = {
        "Effect": "Allow",
        "Action": ["ses:SendEmail"],
        "Resource": [_arn("identity/${Sender}"), _arn("configuration-set/${MailRules}")],
        "Condition": {"StringEquals": {"ses:FromAddress": settings.sender_address}},
    }
    return StackPart(
        resources={"MailRules": rules, "Sender": sender},
        environment={"NOTIFY_SENDER": settings.notify_sender},
        statements=(send,),
    )


def _arn(resource: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"}

//! The shop of the test of every call: what is called, told and waited for, line by line.

/// A path with the edits of its example, `clock` with seconds, `set` with switches, `fire` with
/// an event and its fields; behind `=>` names for what was answered.
pub(super) const SHOP: &str = r#"
set {"promoters":[{"promoter_id":"p1","promoter_openid":"oP","finder_nickname":"n"}]}
set {"filed_categories":[{"first_category_id":1,"first_category_name":"a","second_category_id":2,"second_category_name":"b","certificate_url":["u"]}]}
set {"filed_brands":[{"brand_wording":"w","sale_authorization":["u"],"trademark_registration_certificate":["u"]}]}
/shop/account/update_info
/shop/spu/add => product=/data/product_id
/shop/spu/add out_product_id="OFF" skus.0.out_product_id="OFF"
clock 120
/shop/spu/delisting out_product_id="OFF"
/shop/order/add out_order_id="OPEN" create_time=$now expire_time=$later_s => open=/data/order_id
/shop/order/add out_order_id="PAID" create_time=$now expire_time=$later_s => paid=/data/order_id
/shop/order/add out_order_id="SENT" create_time=$now expire_time=$later_s => sent=/data/order_id
/shop/order/add out_order_id="DONE" create_time=$now expire_time=$later_s => done=/data/order_id
/shop/order/add out_order_id="BACK" create_time=$now expire_time=$later_s => back=/data/order_id
/shop/order/add out_order_id="OWN" create_time=$now fund_type=0 order_detail.pay_info.prepay_id="wx1" order_detail.pay_info.prepay_time=$now => own=/data/order_id
/shop/order/add out_order_id="OWNPAID" create_time=$now fund_type=0 order_detail.pay_info.prepay_id="wx1" order_detail.pay_info.prepay_time=$now => ownpaid=/data/order_id
/shop/order/pay out_order_id="OWNPAID" order_id=$ownpaid
/shop/aftersale/add out_order_id="OWNPAID"
fire open_product_order_pay order_id=$paid
fire open_product_order_pay order_id=$sent
fire open_product_order_pay order_id=$done
fire open_product_order_pay order_id=$back => flow=/message/order_info/transaction_id
/shop/order/add out_order_id="GAIN" create_time=$now expire_time=$later_s => gain=/data/order_id
fire open_product_order_pay order_id=$gain
/shop/delivery/send out_order_id="GAIN" order_id=$gain
/shop/delivery/recieve out_order_id="GAIN" order_id=$gain
fire open_product_order_settle order_id=$gain
fire open_product_order_analyze order_id=$done promotion_info={"promoter_id":"p1","promoter_openid":"oP","sharer_openid":"oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw","finder_nickname":"n","live_start_time":"2022-06-15"}
/shop/delivery/send out_order_id="SENT" order_id=$sent
/shop/delivery/send out_order_id="DONE" order_id=$done
/shop/delivery/send out_order_id="BACK" order_id=$back
/shop/delivery/recieve out_order_id="DONE" order_id=$done
/shop/delivery/recieve out_order_id="BACK" order_id=$back
/shop/ecaftersale/add out_order_id="PAID" order_id=$paid out_aftersale_id="REFUND" type=1 => refund=/aftersale_id
/shop/ecaftersale/add out_order_id="SENT" order_id=$sent out_aftersale_id="RETURN" => return=/aftersale_id
/shop/ecaftersale/add out_order_id="DONE" order_id=$done out_aftersale_id="ROAD" => road=/aftersale_id
/shop/ecaftersale/acceptreturn aftersale_id=$road
/shop/ecaftersale/add out_order_id="BACK" order_id=$back out_aftersale_id="FAILED" type=1 => failed=/aftersale_id
set {"refund_fails":true}
/shop/ecaftersale/acceptrefund aftersale_id=$failed
clock 60
set {"refund_fails":false}
/shop/sharer/bind
clock 120
/shop/sharer/get_sharer_live_summary_list => live=/lives/0/live_export_id
/shop/coupon/confirm
/shop/coupon/add coupon.coupon_info.receive_info.start_time=$now_s coupon.coupon_info.receive_info.end_time=$later_s coupon.coupon_info.valid_info.start_time=$now_s coupon.coupon_info.valid_info.end_time=$later_s
/shop/coupon/add coupon.out_coupon_id="LIVE" coupon.coupon_info.receive_info.start_time=$now_s coupon.coupon_info.receive_info.end_time=$later_s coupon.coupon_info.valid_info.start_time=$now_s coupon.coupon_info.valid_info.end_time=$later_s
/shop/coupon/update_status out_coupon_id="LIVE"
/shop/coupon/add_user_coupon user_coupon.out_coupon_id="LIVE" user_coupon.out_user_coupon_id="MINE" recv_time=$now_s
/shop/coupon/update_usercoupon_status out_coupon_id="LIVE" out_user_coupon_id="MINE"
/shop/funds/setbankaccount
/shop/funds/submitwithdraw amount=100 => withdrawal=/out_request_no
/shop/funds/qrcode/gen => ticket=/qrcode_ticket
fire complaint_notify order_id=$done content="x" => complaint=/message/complaint_info/complaint_order_id
/shop/audit/audit_brand
/shop/audit/audit_category => category=/audit_id
/shop/wxpay/apply
clock 120
/shop/wxpay/get => mchid=/pay_resp/sub_mchid
/shop/pay/createorder combine_trade_no="CWAITING" expire_time=$later_s sub_orders.0.mchid=$mchid sub_orders.0.trade_no="WAITING"
/shop/pay/createorder expire_time=$later_s sub_orders.0.mchid=$mchid
fire funds_order_pay trade_no="PAY20220618000042"
/shop/pay/createorder combine_trade_no="CSHARED" expire_time=$later_s sub_orders.0.mchid=$mchid sub_orders.0.trade_no="SHARED"
fire funds_order_pay trade_no="SHARED"
/shop/pay/profitsharingorder mchid=$mchid trade_no="SHARED"
/shop/pay/refundorder mchid=$mchid trade_no="SHARED" refund_no="REF0" refund_amount=100
/shop/pay/refundorder mchid=$mchid refund_no="REF1" refund_amount=100
clock 60
/shop/spu/add out_product_id="NEW" skus.0.out_product_id="NEW"
clock 2
"#;

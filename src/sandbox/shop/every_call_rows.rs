//! The rows of the test of every call.

/// Path | edits of the example that make it fit the shop | edits that spoil it | the errcode.
pub(super) const ROWS: &str = r#"
/shop/register/apply | | no-json | 47001
/shop/register/check | | no-json | 47001
/shop/register/finish_access_info | | access_info_item=5 | 40097
/shop/register/apply_scene | | scene_group_id=2 | 40097
/shop/img/upload | | img_url="http://127.0.0.1/a.jpg" | 1070008
/shop/cat/get | | no-json | 47001
/shop/ec/category/getcategoryrule | | category_id="7523" | 40097
/shop/audit/audit_category | audit_req.category_info.level1=7501 | audit_req.category_info.level3=7 | 1000009
/shop/audit/audit_brand | | audit_req.scene_group_list=[1] | 1000042
/shop/audit/result | audit_id=$category | audit_id="RAAAA" | 1050005
/shop/audit/get_miniapp_certificate | | no-json | 47001
/shop/account/get_category_list | | no-json | 47001
/shop/account/get_brand_list | | no-json | 47001
/shop/account/update_info | | service_agent_type=[] | 40097
/shop/account/get_info | | no-json | 47001
/shop/spu/add | out_product_id="MORE" skus.0.out_product_id="MORE" | head_img=["https://cdn.example/a.jpg"] | 1070010
/shop/spu/update | product_id=$product | product_id=7 | 9401002
/shop/spu/update_without_audit | | skus.0.out_sku_id="OTHER" | 1000004
/shop/spu/get | | out_product_id="NONE" | 9401002
/shop/spu/get_list | | page=0 | 9401020
/shop/spu/listing | out_product_id="OFF" | out_product_id="NONE" | 9401002
/shop/spu/delisting | | out_product_id="NONE" | 9401002
/shop/spu/del | | out_product_id=7 | 9401020
/shop/spu/del_audit | out_product_id="NEW" | out_product_id="NONE" | 9401002
/shop/scene/check | | scene="1177" | 40097
/shop/order/add | create_time=$now expire_time=$later_s | order_detail.price_info.order_price="254.00" | 1010005
/shop/order/getpaymentparams | out_order_id="OPEN" order_id=$open | out_order_id="OWN" order_id=$own | 1010047
/shop/order/pay | out_order_id="OWN" order_id=$own | out_order_id="OPEN" order_id=$open | 1010050
/shop/order/close | out_order_id="OPEN" | out_order_id="PAID" | 1000000
/shop/order/get | order_id=$done | openid="oStranger" | 1010011
/shop/order/get_list | start_create_time=- end_create_time=- | page_size=101 | 40097
/shop/order/get_list_by_finder | promoter_id="p1" start_pay_time=- end_pay_time=- | promoter_id=- | 40097
/shop/order/get_list_by_sharer | start_pay_time=- end_pay_time=- | page=0 | 40097
/shop/delivery/get_company_list | | no-json | 47001
/shop/delivery/send | out_order_id="PAID" order_id=$paid | delivery_list.0.product_info_list.0.product_cnt=1 | 1010042
/shop/delivery/recieve | out_order_id="SENT" order_id=$sent | out_order_id="PAID" order_id=$paid | 1000000
/shop/ecaftersale/add | out_order_id="SENT" order_id=$sent | product_info.out_product_id="NONE" | 1020004
/shop/ecaftersale/update | out_aftersale_id="REFUND" | orderamt=99999999 | 2747014
/shop/ecaftersale/cancel | out_aftersale_id="REFUND" | out_aftersale_id="FAILED" | 2747002
/shop/ecaftersale/uploadreturninfo | aftersale_id=$road | aftersale_id=$return | 2747002
/shop/ecaftersale/get | aftersale_id=$road | aftersale_id=7 | 2747002
/shop/ecaftersale/get_list | out_order_id="DONE" begin_create_time=- end_create_time=- | limit="20" | 2747002
/shop/ecaftersale/acceptrefund | aftersale_id=$refund | aftersale_id=$return | 2747002
/shop/ecaftersale/acceptreturn | aftersale_id=$return | aftersale_id=$refund | 2747002
/shop/ecaftersale/reject | aftersale_id=$refund | aftersale_id=$failed | 2747002
/shop/ecaftersale/upload_certificates | aftersale_id=$failed | aftersale_id=$refund | 2747002
/shop/ecaftersale/merchanttest | out_aftersale_id="REFUND" | operation="aftersale_none" | 2747002
/shop/aftersale/add | out_order_id="OWNPAID" out_aftersale_id="OLD2" | out_order_id="PAID" | 1010050
/shop/aftersale/get | out_order_id="OWNPAID" | out_order_id=7 | 40097
/shop/aftersale/update | out_order_id="OWNPAID" | out_order_id="OWN" | 100000
/shop/aftersale/update_deadline | out_order_id="DONE" after_sale_deadline=$later_s | out_order_id="NONE" | 1010011
/shop/promoter/list | | page_size=21 | 40097
/shop/sharer/bind | | openids=[] | 40097
/shop/sharer/unbind | | openids="o" | 40097
/shop/sharer/get_sharer_list | | page=0 | 40097
/shop/sharer/search_sharer | | openid="oNobody" | 40097
/shop/sharer/get_sharer_data_summary | | openid="oNobody" | 40097
/shop/sharer/get_sharer_live_summary_list | | openid="oNobody" | 40097
/shop/sharer/get_sharer_live_order_list | live_export_id=$live | page=0 | 40097
/shop/sharer/set_share_mode | | share_mode="1" | 40097
/shop/coupon/confirm | | no-json | 47001
/shop/coupon/add | coupon.out_coupon_id="MORE" coupon.coupon_info.receive_info.end_time=$later_s coupon.coupon_info.valid_info.end_time=$later_s | coupon.type=7 | 40097
/shop/coupon/update | coupon.coupon_info.receive_info.end_time=$later_s coupon.coupon_info.valid_info.end_time=$later_s | coupon.out_coupon_id="LIVE" | 40097
/shop/coupon/get | | out_coupon_id="NONE" | 40097
/shop/coupon/get_list | | page_size=201 | 40097
/shop/coupon/update_status | | status=1 | 40097
/shop/coupon/update_coupon_stock | | coupon_stock.stock_info.issued_num=500 | 40097
/shop/coupon/add_user_coupon | user_coupon.out_coupon_id="LIVE" openid="oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw" recv_time=$now_s | user_coupon.status=103 | 40097
/shop/coupon/get_usercoupon_list | | page_size=0 | 40097
/shop/coupon/update_user_coupon | user_coupon.out_coupon_id="LIVE" user_coupon.out_user_coupon_id="MINE" | user_coupon.out_user_coupon_id="NONE" | 40097
/shop/coupon/update_usercoupon_status | out_coupon_id="LIVE" out_user_coupon_id="MINE" | status=103 | 40097
/shop/pay/createorder | combine_trade_no="COMBINED3" expire_time=$later_s sub_orders.0.mchid=$mchid sub_orders.0.trade_no="PAY003" | sub_orders.0.amount=0 | 40097
/shop/pay/closeorder | combine_trade_no="CWAITING" sub_orders.0.trade_no="WAITING" sub_orders.0.mchid=$mchid | combine_trade_no="NONE" | 40097
/shop/pay/getorder | trade_no="SHARED" | trade_no="NONE" | 40097
/shop/pay/getorderlist | mchid=$mchid | page_size=0 | 40097
/shop/pay/profitsharingorder | mchid=$mchid | mchid="7" | 40097
/shop/pay/refundorder | mchid=$mchid | total_amount=1 | 40097
/shop/funds/scanorderflow | date=$day | date="2022-06-15" | 40097
/shop/funds/getorderflow | funds_flow_id=$flow | funds_flow_id="NONE" | 40097
/shop/funds/getbalance | | no-json | 47001
/shop/funds/getbankaccount | | no-json | 47001
/shop/funds/setbankaccount | | account_info.account_number="x" | 40097
/shop/funds/submitwithdraw | amount=100 | amount=99999999999 | 40097
/shop/funds/scanwithdraw | | page_num=0 | 40097
/shop/funds/getwithdrawdetail | out_request_no=$withdrawal | out_request_no="NONE" | 40097
/shop/funds/qrcode/gen | | identity_type="1" | 40097
/shop/funds/qrcode/get | qrcode_ticket=$ticket | qrcode_ticket="NONE" | 40097
/shop/funds/qrcode/check | qrcode_ticket=$ticket | qrcode_ticket="NONE" | 40097
/shop/funds/getbankbynum | | account_number="x" | 40097
/shop/funds/getbanklist | | limit="10" | 40097
/shop/funds/getprovince | | no-json | 47001
/shop/funds/getcity | | province_code=7777 | 40097
/shop/funds/getsubbranch | | bank_code=7 | 40097
/shop/wxpay/apply | | organization_type=7 | 40097
/shop/wxpay/get | | no-json | 47001
/shop/wxpay/get_info | | no-json | 47001
/shop/complaint/get_list | | limit=0 | 40097
/shop/complaint/get | complaint_order_id=$complaint | complaint_order_id=7 | 40097
/shop/complaint/upload_material | complaint_order_id=$complaint | material_info.content="" | 40097
"#;
